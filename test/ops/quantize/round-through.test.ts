import * as ops from '../../../src/ops/quantize/round-through.ts';
import { opTests } from '../harness.ts';

opTests('round-through', ops);
