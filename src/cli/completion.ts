import type { Command, Option } from 'commander';
import { ConvletError } from '../common/error.ts';

/** `convlet completion SHELL` prints a script for the shell that completes commands, options, their words and files. */
export function completionCommand(program: Command): void {
  program
    .command('completion')
    .description('a script that completes the command line: source <(convlet completion bash)')
    .argument('<shell>', Object.keys(shells).join(', '))
    .action((shell: string) => {
      if (!Object.hasOwn(shells, shell)) {
        const known = Object.keys(shells).join(' or ');
        throw new ConvletError('argument', `completion expects ${known}, got '${shell}'`);
      }
      console.log(shells[shell as keyof typeof shells](describe(program)));
    });
}

interface Completed {
  readonly name: string;
  readonly about: string;
  readonly options: readonly {
    readonly flag: string;
    readonly about: string;
    readonly words: readonly string[] | null;
  }[];
}

/** Words that an option takes. */
const words: { readonly [flag: string]: readonly string[] } = {
  '--backend': ['wasm', 'js'],
  '--variant': ['auto', 'simd', 'relaxed'],
  '--threads': ['auto', '1', '2', '4', '8'],
  '--precision': ['fast', 'exact'],
  '--leader': ['main', 'worker'],
  '--layout': ['channels-first', 'channels-last'],
  '--fit': ['stretch', 'contain', 'cover'],
  '--against': ['js', 'simd', 'relaxed'],
};

function describe(program: Command): readonly Completed[] {
  const option = ({ long, description, required }: Option) => {
    const flag = long ?? '';
    return { flag, about: description, words: required ? (words[flag] ?? []) : null };
  };
  return program.commands.map((command) => ({
    name: command.name(),
    about: command.description(),
    options: [...command.options.map(option), { flag: '--help', about: 'what there is', words: null }],
  }));
}

/** A description in single quotes, for a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const shells = {
  bash: (commands: readonly Completed[]): string => {
    const cases = commands.map(
      ({ name, options }) => `    ${name}) flags="${options.map(({ flag }) => flag).join(' ')}" ;;`,
    );
    const values = Object.entries(words).map(([flag, known]) => `    ${flag}) values="${known.join(' ')}" ;;`);
    return `# source <(convlet completion bash)
_convlet() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" flags="" values=""
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --version --help" -- "$current"))
    return
  fi
  case "$previous" in
${values.join('\n')}
  esac
  if [[ -n "$values" ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "\${current##*=}"))
  fi
}
complete -o filenames -F _convlet convlet`;
  },
  zsh: (commands: readonly Completed[]): string => {
    const spec = ({ flag, about, words: known }: Completed['options'][number]): string => {
      const text = about.replace(/[[\]:]/g, ' ');
      const value = known === null ? '' : known.length > 0 ? `:value:(${known.join(' ')})` : ':value:_files';
      return quoted(`*${flag}[${text}]${value}`);
    };
    const cases = commands.map(
      ({ name, options }) => `    ${name}) _arguments ${options.map(spec).join(' ')} '*:file:_files' ;;`,
    );
    const list = commands.map(({ name, about }) => quoted(`${name}:${about.replaceAll(':', ' ')}`));
    return `#compdef convlet
# source <(convlet completion zsh)
_convlet() {
  if (( CURRENT == 2 )); then
    local -a commands=(${list.join(' ')})
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _convlet convlet`;
  },
  fish: (commands: readonly Completed[]): string => {
    const lines = commands.flatMap(({ name, about, options }) => [
      `complete -c convlet -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
      ...options.map(({ flag, about: text, words: known }) => {
        const value = known === null ? '' : known.length > 0 ? ` -x -a ${quoted(known.join(' '))}` : ' -r';
        return `complete -c convlet -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}${value} -d ${quoted(text)}`;
      }),
    ]);
    return ['# convlet completion fish | source', ...lines].join('\n');
  },
};
