import * as ops from '../../src/ops/ctc.ts';
import { opTests } from './harness.ts';

opTests('ctc', ops);
