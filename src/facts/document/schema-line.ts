/** The first line of every file that the layer writes: editors complete and check the file by its schema. */

/** The line, without its end; the schemas are published with the package, in `schemas/`. */
export function schemaLine(
  name: 'configuration' | 'inventory' | 'inventory-lock' | 'policy',
): string {
  return `# yaml-language-server: $schema=https://unpkg.com/exequatur/schemas/${name}.json`;
}
