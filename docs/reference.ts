// The tables of docs/training.md: every layer, function, loss, optimizer, schedule, transform and metric of convlet/train, from
// build/api.json (the rolled-up declarations). `npm run docs` writes them; test/docs.test.ts fails where they are not what this makes.
import { readFileSync } from 'node:fs';
import { table } from './table.ts';

interface ApiName {
  readonly path: string;
  readonly kind: string;
  readonly signature: string;
  readonly doc: string;
}

/** The names of PyTorch (or of the package named) where they are not made by rule; null: PyTorch has nothing like it. */
const torchNames: { readonly [path: string]: string | null } = {
  'F.focalLoss': null,
  'F.diceLoss': null,
  'F.mixedPool2d': null,
  'F.spatialPyramidPool2d': null,
  'F.maskedFill': 'torch.Tensor.masked_fill',
  'nn.FocalLoss': null,
  'nn.DiceLoss': null,
  'nn.init.calculateGain': 'torch.nn.init.calculate_gain',
  'nn.init.calculateFan': null,
  'optim.Lion': null,
  'optim.Lamb': null,
  'optim.EMA': 'torch.optim.swa_utils.AveragedModel',
  'optim.clipGradNorm': 'torch.nn.utils.clip_grad_norm_',
  'optim.clipGradValue': 'torch.nn.utils.clip_grad_value_',
  'data.DataLoader': 'torch.utils.data.DataLoader',
  'data.TensorDataset': 'torch.utils.data.TensorDataset',
  'data.Subset': 'torch.utils.data.Subset',
  'data.split': 'torch.utils.data.random_split',
  'data.collate': 'torch.utils.data.default_collate',
  'data.MNIST': 'torchvision.datasets.MNIST',
  'data.CIFAR10': 'torchvision.datasets.CIFAR10',
  'data.ImageFolder': 'torchvision.datasets.ImageFolder',
  'data.normalize': 'torchvision.transforms.Normalize',
  'data.randomCrop': 'torchvision.transforms.RandomCrop',
  'data.randomHorizontalFlip': 'torchvision.transforms.RandomHorizontalFlip',
  'data.randomErasing': 'torchvision.transforms.RandomErasing',
  'nn.prune.l1UnstructuredMask': 'torch.nn.utils.prune.l1_unstructured',
  'nn.prune.lnStructuredMask': 'torch.nn.utils.prune.ln_structured',
  'nn.quant.fakeQuantize': 'torch.fake_quantize_per_tensor_affine',
  'nn.quant.quantize': 'torch.quantize_per_tensor',
  'nn.quant.dequantize': 'torch.Tensor.dequantize',
  checkpoint: 'torch.utils.checkpoint.checkpoint',
  compileModel: 'torch.compile',
  grad: 'torch.autograd.grad',
  Function: 'torch.autograd.Function',
  noGrad: 'torch.no_grad',
  isGradEnabled: 'torch.is_grad_enabled',
  seed: 'torch.manual_seed',
  Generator: 'torch.Generator',
  summary: 'torchinfo.summary',
  variable: 'torch.tensor',
  loadStateDict: 'safetensors.torch.load',
  saveStateDict: 'safetensors.torch.save',
  'Variable#argMax': 'torch.argmax',
  'Variable#argMin': 'torch.argmin',
  'Variable#logSumExp': 'torch.logsumexp',
};

const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** Functions of F that are in torch.nn.functional; the others are in torch itself. */
const functional =
  /loss|Loss|crossEntropy|binaryCrossEntropy|klDiv|threshold|elu|Elu|relu|Relu|prelu|glu|silu|mish|hard|soft|sigmoid|tanhshrink|linear|^conv|embedding|oneHot|cosineSimilarity|pairwiseDistance|ropout|Norm$|normalize|^pad$|[pP]ool|interpolate|Unshuffle|pixelShuffle|channelShuffle|^unfold|^fold|gridSample|affineGrid/;

/** Which names a table has, and what PyTorch calls them. */
interface Section {
  readonly title: string;
  readonly holds: (name: ApiName) => boolean;
  readonly torch: (name: string) => string | null;
}

const isIn = (space: string, { path, kind }: ApiName): boolean =>
  path.startsWith(space) && !/[.#]/.test(path.slice(space.length)) && (kind === 'class' || kind === 'function');
const last = (path: string): string => path.split(/[.#]/).at(-1)!;
const isLoss = (path: string): boolean => /Loss$|[cC]rossEntropy|klDiv/.test(last(path));
const isTransform = (path: string): boolean => /^data\.(random|normalize)/.test(path);
const isSchedule = (path: string): boolean => /LR$|WarmRestarts|Plateau|Scheduler$/.test(path);
const isContainer = (path: string): boolean => /^nn\.(Module|Buffer|Parameter)$/.test(path);

const sections: readonly Section[] = [
  {
    title: 'Layers (`nn`)',
    holds: (name) => isIn('nn.', name) && !isLoss(name.path),
    torch: (name) => `torch.nn.${name}`,
  },
  {
    title: 'Losses (`nn`, `F`)',
    holds: (name) => (isIn('nn.', name) || isIn('F.', name)) && isLoss(name.path),
    torch: (name) => (/^[A-Z]/.test(name) ? `torch.nn.${name}` : `torch.nn.functional.${snake(name)}`),
  },
  {
    title: 'Functions (`F`)',
    holds: (name) => isIn('F.', name) && !isLoss(name.path),
    torch: (name) => `${functional.test(name) ? 'torch.nn.functional' : 'torch'}.${snake(name)}`,
  },
  {
    title: 'Methods of variables',
    holds: ({ path, kind }) => path.startsWith('Variable#') && kind === 'method' && !/#toString|#toJSON/.test(path),
    torch: (name) => `torch.Tensor.${snake(name).replace('requires_grad_', 'requires_grad_')}`,
  },
  {
    title: 'Optimizers (`optim`)',
    holds: (name) => isIn('optim.', name) && !isSchedule(name.path),
    torch: (name) => `torch.optim.${name}`,
  },
  {
    title: 'Schedules (`optim`)',
    holds: (name) => isIn('optim.', name) && isSchedule(name.path),
    torch: (name) => `torch.optim.lr_scheduler.${name}`,
  },
  {
    title: 'Data sets and loaders (`data`)',
    holds: (name) => isIn('data.', name) && !isTransform(name.path),
    torch: () => null,
  },
  { title: 'Transforms (`data`)', holds: (name) => isIn('data.', name) && isTransform(name.path), torch: () => null },
  { title: 'Metrics (`metrics`)', holds: (name) => isIn('metrics.', name), torch: () => null },
  {
    title: 'Initialisation (`nn.init`)',
    holds: (name) => isIn('nn.init.', name),
    torch: (name) => `torch.nn.init.${snake(name)}_`,
  },
  {
    title: 'Pruning and quantization (`nn.prune`, `nn.quant`)',
    holds: (name) => isIn('nn.prune.', name) || isIn('nn.quant.', name),
    torch: () => null,
  },
  {
    title: 'Training, models, files',
    holds: (name) => isIn('', name) && !/Error$|^Tensor$/.test(name.path),
    torch: (name) => (/^(zeros|ones|full|rand|arange|linspace|eye|tensor)/.test(name) ? `torch.${snake(name)}` : null),
  },
];

/** The tables, section after section. */
export function referenceText(root: URL): string {
  const { 'convlet/train': names } = JSON.parse(readFileSync(new URL('build/api.json', root), 'utf8')) as {
    readonly 'convlet/train': readonly ApiName[];
  };
  const taken = new Set<string>();
  const text = sections.map(({ title, holds, torch }) => {
    const found = names.filter((name) => holds(name) && !taken.has(name.path));
    for (const { path } of found) taken.add(path);
    const rows = found
      .sort((a, b) => (isContainer(a.path) ? 0 : 1) - (isContainer(b.path) ? 0 : 1) || (a.path < b.path ? -1 : 1))
      .map((name) => [
        `\`${last(name.path)}${callOf(name, names)}\``,
        firstSentence(name.doc || ofMethod(name.path, names)),
        torchText(name.path, torch),
      ]);
    return `### ${title}\n\n${table(['', 'what', 'PyTorch'], rows)}`;
  });
  return text.join('\n\n');
}

/** Functions that are methods too have the docstring there. */
const ofMethod = (path: string, names: readonly ApiName[]): string =>
  names.find((name) => name.path === `Variable#${last(path)}`)?.doc ?? '';

function torchText(path: string, torch: Section['torch']): string {
  const own = Object.hasOwn(torchNames, path) ? torchNames[path] : torch(last(path));
  return own === null ? '–' : `\`${own}\``;
}

/** (a, b?, { stride, padding, … }): names of the arguments, and of the options where they are public. */
function callOf({ signature }: ApiName, names: readonly ApiName[]): string {
  const first = signature.split(' & ')[0];
  const params = splitParams(first);
  const shown = params.map((param) => {
    const [, rest = '', name, optional = '', type = ''] = /^(\.\.\.)?(\w+)(\?)?(?::\s*([\s\S]*))?$/.exec(param) ?? [];
    if (name !== 'options') return `${rest}${name ?? param}${optional}`;
    const known = optionNames(type, names);
    return known.length === 0 ? `options${optional}` : `{ ${known.join(', ')} }`;
  });
  return `(${shown.join(', ')})`;
}

function optionNames(type: string, names: readonly ApiName[]): string[] {
  const name = /(?:Partial<)?(\w+)/.exec(type)?.[1] ?? '';
  const paths = names.filter(({ path }) => new RegExp(`(^|\\.)${name}#\\w+$`).test(path)).map(({ path }) => last(path));
  return [...new Set(paths)];
}

/** The parameters of a signature, split where no bracket is open. */
function splitParams(signature: string): string[] {
  const start = signature.indexOf('(');
  const parts: string[] = [];
  let [depth, from] = [0, start + 1];
  for (let i = start; i < signature.length && start >= 0; i++) {
    const char = signature[i];
    if ('([{<'.includes(char)) depth++;
    else if (')]}'.includes(char) || (char === '>' && signature[i - 1] !== '=')) depth--;
    if ((depth === 1 && char === ',') || depth === 0) {
      parts.push(signature.slice(from, i).trim());
      from = i + 1;
    }
    if (depth === 0) break;
  }
  return parts.filter((part) => part !== '');
}

/** What a cell of a table can hold of a docstring. */
function firstSentence(doc: string): string {
  const [text] = doc.replace(/```[\s\S]*?```/g, '').split(/\n\s*\n/);
  const line = text.replace(/\s+/g, ' ').trim();
  const end = /^.*?[.;](?= [A-Z(]|$)/.exec(line)?.[0] ?? line;
  return end.replace(/[.;]$/, '').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
