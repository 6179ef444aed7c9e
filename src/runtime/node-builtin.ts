/**
 * A module of Node with its first use, and not by an import: for the names that an import may ask for Node reads every
 * property, and in `node:fs` that loads streams and promises (9 ms and 265 new pages of Node 24's start, 3 ms of Node 20's;
 * so asked for it is there already). zlib and worker_threads take 2 to 5 ms wherever they are loaded.
 */
export const builtin: typeof process.getBuiltinModule = (name: string) => process.getBuiltinModule(name);
