import * as ops from '../../../src/ops/sample/sample-grad.ts';
import { opTests } from '../harness.ts';

opTests('sample-grad', ops);
