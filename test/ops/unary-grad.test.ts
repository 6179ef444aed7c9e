import * as ops from '../../src/ops/unary-grad.ts';
import { opTests } from './harness.ts';

opTests('unary-grad', ops);
