import * as ops from '../../src/ops/unfold.ts';
import { opTests } from './harness.ts';

opTests('unfold', ops);
