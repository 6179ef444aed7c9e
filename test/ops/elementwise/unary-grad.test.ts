import * as ops from '../../../src/ops/elementwise/unary-grad.ts';
import { opTests } from '../harness.ts';

opTests('unary-grad', ops);
