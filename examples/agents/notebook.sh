#!/bin/sh
# What the layer runs; agents cannot.
echo "$1 $2" >> notebook.txt
echo "$1: $2"
