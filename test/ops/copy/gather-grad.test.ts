import * as ops from '../../../src/ops/copy/gather-grad.ts';
import { opTests } from '../harness.ts';

opTests('gather-grad', ops);
