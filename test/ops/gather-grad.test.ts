import * as ops from '../../src/ops/gather-grad.ts';
import { opTests } from './harness.ts';

opTests('gather-grad', ops);
