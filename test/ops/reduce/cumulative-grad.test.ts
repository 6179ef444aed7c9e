import * as ops from '../../../src/ops/reduce/cumulative-grad.ts';
import { opTests } from '../harness.ts';

opTests('cumulative-grad', ops);
