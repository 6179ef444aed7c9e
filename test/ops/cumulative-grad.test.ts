import * as ops from '../../src/ops/cumulative-grad.ts';
import { opTests } from './harness.ts';

opTests('cumulative-grad', ops);
