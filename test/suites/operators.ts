// Cases of one operator each, made from other projects' tests: npm run suites -- FILE.
import { caseFailure, caseLabel, knownDifferences, readCases } from './operator-cases.ts';
import { Mismatch, parseSuite, runSuite, Skip } from './suite.ts';

const options = parseSuite('suites', 'one-operator cases as JSON', 'file');
const cases = new Map(readCases(options.path).map((c, i) => [`${caseLabel(c)} (${i})`, c]));

await runSuite(options, [...cases.keys()], async (name) => {
  const c = cases.get(name)!;
  const failure = await caseFailure(c, options.load);
  const known = knownDifferences.get(caseLabel(c));
  if (failure !== null && known !== undefined) throw new Skip(known);
  if (failure !== null) throw new Mismatch(failure);
  return undefined;
});
