// npm run soak:checkpoint [-- N]: N processes (default 200) are killed at random instants while they save a checkpoint. After
// each, the checkpoint on the disk must load, be complete, and not be older than the last one that was reported as saved.
import { killWhileSaving } from '../train/kill.ts';

const kills = Number(process.argv[2] ?? 200);
const start = performance.now();
const { duringSave, ahead, generation } = await killWhileSaving(kills, Math.random);
const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.log(`${kills} processes killed in ${seconds} s: every time a whole checkpoint was loaded.`);
console.log(
  `${duringSave} were inside a save, ${ahead} between renaming and reporting; generation ${generation} at the end.`,
);
