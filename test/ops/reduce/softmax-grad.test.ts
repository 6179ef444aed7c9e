import * as ops from '../../../src/ops/reduce/softmax-grad.ts';
import { opTests } from '../harness.ts';

opTests('softmax-grad', ops);
