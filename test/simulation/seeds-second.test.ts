/** Seeds 1001 to 2000 of the simulation: with those of the file beside it 2,000 in all. */
import { describeSeeds } from './seeds.ts';

describeSeeds(1001, 2000);
