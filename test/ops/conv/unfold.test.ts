import * as ops from '../../../src/ops/conv/unfold.ts';
import { opTests } from '../harness.ts';

opTests('unfold', ops);
