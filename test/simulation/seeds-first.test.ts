/** Seeds 1 to 1000 of the simulation: with those of the file beside it 2,000 in all. */
import { describeSeeds } from './seeds.ts';

describeSeeds(1, 1000);
