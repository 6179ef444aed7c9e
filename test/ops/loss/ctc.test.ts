import * as ops from '../../../src/ops/loss/ctc.ts';
import { opTests } from '../harness.ts';

opTests('ctc', ops);
