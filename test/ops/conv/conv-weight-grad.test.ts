import * as family from '../../../src/ops/conv/conv-weight-grad.ts';
import { opTests } from '../harness.ts';

opTests('conv-weight-grad', family);
