import type { OpName } from './attrs.ts';
import type { CasesOf } from './case.ts';
import { convCases } from './conv/cases.ts';
import { copyCases } from './copy/cases.ts';
import { elementwiseCases } from './elementwise/cases.ts';
import { interpolateCases } from './interpolate/cases.ts';
import { lossCases } from './loss/cases.ts';
import { matmulCases } from './matmul/cases.ts';
import { normCases } from './norm/cases.ts';
import { optimizerCases } from './optimizer/cases.ts';
import { poolCases } from './pool/cases.ts';
import { quantizeCases } from './quantize/cases.ts';
import { randomCases } from './random/cases.ts';
import { reduceCases } from './reduce/cases.ts';
import { sampleCases } from './sample/cases.ts';

/** Examples of every op, by its name, only for tests and docs. */
export const opCases: CasesOf<OpName> = {
  ...convCases,
  ...poolCases,
  ...normCases,
  ...elementwiseCases,
  ...reduceCases,
  ...matmulCases,
  ...copyCases,
  ...interpolateCases,
  ...sampleCases,
  ...lossCases,
  ...randomCases,
  ...optimizerCases,
  ...quantizeCases,
};
