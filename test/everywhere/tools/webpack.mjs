// node webpack.mjs ENTRY OUTDIR OPTIONS: as the command line of webpack does it, with its defaults for production.
import webpack from 'webpack';

const [, , entry, path, options] = process.argv;
const { output, ...rest } = JSON.parse(options);
webpack({ mode: 'production', entry: { main: entry }, output: { path, ...output }, ...rest }, (error, stats) => {
  if (error) throw error;
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  for (const { message, moduleName } of [...errors, ...warnings]) console.error(`${moduleName ?? ''}: ${message}`);
  if (errors.length > 0) process.exitCode = 1;
});
