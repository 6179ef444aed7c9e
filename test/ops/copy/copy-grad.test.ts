import * as ops from '../../../src/ops/copy/copy-grad.ts';
import { opTests } from '../harness.ts';

opTests('copy-grad', ops);
