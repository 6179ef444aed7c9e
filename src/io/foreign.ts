// Recognises files that are not of the expected format: an error page of a server, a Git LFS pointer, a file of another
// framework. It is used only after reading has failed, so it never refuses a readable file.
import { ConvletError } from '../common/error.ts';

interface Foreign {
  readonly name: string;
  /** Bytes at `at`, as a string. With `isText`, case and leading white space are ignored. */
  readonly magic: string;
  readonly at?: number;
  readonly isText?: boolean;
  readonly advice: string;
}

const page = 'the address answers with a page (a login, an error, a view of the file), not with the file';
const exported = 'export it as ONNX (PyTorch: torch.onnx.export)';

/** The first fitting row counts. Sources: the specifications of the formats. */
const foreign: readonly Foreign[] = [
  {
    name: 'a Git LFS pointer',
    magic: 'version https://git-lfs.github.com/spec/',
    isText: true,
    advice: 'the file itself is elsewhere: run `git lfs pull`, or download it from where the pointer leads',
  },
  { name: 'an HTML page', magic: '<!doctype html', isText: true, advice: page },
  { name: 'an HTML page', magic: '<html', isText: true, advice: page },
  { name: 'an HTML page', magic: '<head', isText: true, advice: page },
  { name: 'an XML document', magic: '<', isText: true, advice: 'servers of files answer so when something is wrong' },
  { name: 'a JSON document', magic: '{', isText: true, advice: 'servers answer so when something is wrong' },
  { name: 'a TensorFlow Lite model', magic: 'TFL3', at: 4, advice: 'convert it to ONNX' },
  { name: 'a model in ORT format', magic: 'ORTM', at: 4, advice: 'take the .onnx file that it was made from' },
  { name: 'a .npy file', magic: '\x93NUMPY', advice: 'read it with readNpy' },
  { name: 'an HDF5 file (Keras)', magic: '\x89HDF\r\n', advice: 'convert it to ONNX' },
  { name: 'a ZIP archive (PyTorch saves its .pt and .pth files so)', magic: 'PK\x03\x04', advice: exported },
  { name: 'a Python pickle', magic: '\x80\x02', advice: exported },
  { name: 'a Python pickle', magic: '\x80\x04', advice: exported },
  { name: 'gzip data', magic: '\x1f\x8b', advice: 'decompress it first' },
  { name: 'a PNG picture', magic: '\x89PNG\r\n', advice: 'decodeImage of convlet/images reads it' },
  { name: 'a JPEG picture', magic: '\xff\xd8\xff', advice: 'decodeImage of convlet/images reads it' },
];

/** The file begins with the length of the header, then the header's JSON. */
const safetensors: Foreign = {
  name: 'a safetensors file',
  magic: '{"',
  at: 8,
  advice: 'it has weights without a network: give it to loadStateDict of convlet/train',
};

const empty: Foreign = { name: 'an empty file', magic: '', advice: 'it has 0 bytes' };

const mostRead = 512;

/**
 * The error that says what a file is, if it is of a known kind other than `wanted` ('an ONNX model'); else the error of
 * reading it.
 */
export function foreignError(bytes: Uint8Array, format: string, wanted: string, error: unknown): unknown {
  if (!(error instanceof ConvletError) || error.code !== 'malformed') return error;
  const found = foreignText(bytes, wanted);
  return found === null
    ? error
    : new ConvletError('malformed', `${format}: expected ${wanted}, got ${found}`, { cause: error });
}

/** The kind of a file, and advice; null if the kind is unknown or is `wanted`. */
export function foreignText(bytes: Uint8Array, wanted: string): string | null {
  const found = bytes.byteLength === 0 ? empty : [...foreign, safetensors].find((row) => fits(row, bytes));
  return found === undefined || found.name === wanted ? null : `${found.name}: ${found.advice}`;
}

function fits({ magic, at = 0, isText }: Foreign, bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(0, mostRead));
  if (!isText) return text.startsWith(magic, at);
  return text
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
    .toLowerCase()
    .startsWith(magic);
}
