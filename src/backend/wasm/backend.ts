import { type DescriptorLayout, writeDescriptor } from '../../abi/descriptor.ts';
import type { KernelExports, KernelName } from '../../abi/generated/abi.ts';
import { ConvletError, withContext } from '../../common/error.ts';
import { alignUp, LinearMemory } from '../../memory/linear.ts';
import type { Storage } from '../../memory/storage.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Backend, type PrimCall, type Runner, Sequence, type Session, type Step } from '../backend.ts';
import { jsStep } from '../js/backend.ts';
import type { PrimName } from '../prims.ts';
import { type Leader, type SpawnWorker, Team, type TeamStep } from './core/team.ts';
import { wasmPrims } from './prims.ts';

/** Where a kernel's scratch memory will be; known once the session is sealed. */
interface WorkspaceRequest {
  readonly bytes: number;
  /** `address` is the first thread's part, the others' lie `stride` bytes apart. */
  readonly place: (address: number, stride: number) => void;
}

export interface WasmBackendOptions {
  readonly maxMemoryBytes?: number;
  /** Threads that share the steps of a plan; more than one needs `spawn` and a module that imports a shared memory. */
  readonly threads?: number;
  /** 'worker': all threads are workers, one as well; that needs the same. */
  readonly leader?: Leader;
  readonly spawn?: SpawnWorker;
  /** 'exact': only algorithms whose rounding errors are those of a plain sum; 'fast' (default): Winograd's as well. */
  readonly precision?: 'exact' | 'fast';
}

/** 4 GiB, all that 32-bit addresses reach. */
export const maximumPages = 65536;

/** SIMD kernels in a linear memory of their own; prims or dtypes without a kernel run in plain JS on the same memory. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly views = true;
  readonly variant: 'simd' | 'relaxed';
  readonly memory: LinearMemory;
  readonly kernels: KernelExports;
  readonly team: Team | null;
  readonly precision: 'exact' | 'fast';

  constructor(module: WebAssembly.Module, variant: 'simd' | 'relaxed', options: WasmBackendOptions = {}) {
    const { maxMemoryBytes, threads = 1, leader = 'main', spawn, precision = 'fast' } = options;
    const shared = threads > 1 || leader === 'worker';
    const memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages, shared });
    this.variant = variant;
    this.precision = precision;
    this.kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
    this.kernels.placeConstants();
    this.memory = new LinearMemory(memory, 1024, maxMemoryBytes);
    this.team = shared && spawn !== undefined ? new Team(threads, module, memory, this.kernels, spawn, leader) : null;
  }

  get threads(): number {
    return this.team?.threads ?? 1;
  }

  get leader(): Leader {
    return this.team?.leader ?? 'main';
  }

  session(parent?: Session): WasmSession {
    return new WasmSession(this, (parent as WasmSession | undefined) ?? null);
  }

  /** Resolves when all threads are there. */
  async ready(): Promise<void> {
    await this.team?.ready;
  }

  rouse(): void {
    this.team?.rouse();
  }

  dispose(): void {
    this.team?.dispose();
  }
}

/** A kernel call with everything fixed: descriptor address (of the first thread) and number of work units. */
export class KernelStep implements Step {
  readonly prim: PrimName;
  readonly kernel: KernelName;
  readonly descriptor: number;
  readonly descriptorStride: number;
  readonly units: number;
  private readonly call: (descriptor: number, begin: number, end: number) => void;

  constructor(
    prim: PrimName,
    kernel: KernelName,
    kernels: KernelExports,
    descriptor: number,
    stride: number,
    units: number,
  ) {
    this.prim = prim;
    this.kernel = kernel;
    this.call = kernels[kernel];
    this.descriptor = descriptor;
    this.descriptorStride = stride;
    this.units = units;
  }

  run(): void {
    this.call(this.descriptor, 0, this.units);
  }
}

/** A constant in a form of some kernel's own, as long as a plan uses it. */
class PackedConstant {
  readonly storage: Storage;
  private readonly forms: Map<string, PackedConstant>;
  private readonly key: string;
  private users = 0;

  constructor(storage: Storage, forms: Map<string, PackedConstant>, key: string) {
    this.storage = storage;
    this.forms = forms;
    this.key = key;
    forms.set(key, this);
  }

  use(): void {
    this.users++;
  }

  /** Frees the memory with the last user. */
  release(): void {
    if (--this.users > 0) return;
    this.forms.delete(this.key);
    this.storage.free();
  }
}

/**
 * What prepared steps hold in linear memory. A child session (one plan of a model) keeps its own descriptors and tables,
 * and shares the packed weights and the workspace of its parent. A packed constant goes with the last plan that uses it:
 * those that belong to one input shape (position grids, folded shapes) would pile up otherwise.
 */
export class WasmSession implements Session {
  readonly backend: WasmBackend;
  heldBytes = 0;
  private readonly parent: WasmSession | null;
  private readonly held: Storage[] = [];
  private readonly resident = new WeakMap<ArrayBufferLike, Map<string, PackedConstant>>();
  private readonly used = new Set<PackedConstant>();
  private readonly locals = new WeakSet<Tensor>();
  private readonly children = new Set<WasmSession>();
  private requests: WorkspaceRequest[] = [];
  private workspaceStorage: Storage | null = null;
  private workspaceStride = 0;

  constructor(backend: WasmBackend, parent: WasmSession | null = null) {
    this.backend = backend;
    this.parent = parent;
    parent?.children.add(this);
  }

  keepLocal(tables: readonly Tensor[]): void {
    for (const table of tables) this.locals.add(table);
  }

  prepare(call: PrimCall): Step[] {
    const lower = wasmPrims[call.prim] as ((call: PrimCall, session: WasmSession) => Step[] | null) | undefined;
    return lower?.(call, this) ?? [jsStep(call)];
  }

  /** Address of a tensor's elements; a constant of the JavaScript heap is copied in once per session. */
  address(tensor: Tensor): number {
    if (tensor.storage?.linear) return tensor.storage.byteOffset;
    if (!tensor.constant) throw new Error('a tensor outside the linear memory must be a constant');
    return this.packed(tensor, 'plain', tensor.byteLength, (address) => {
      tensor.copyTo(this.bytes().subarray(address, address + tensor.byteLength));
    });
  }

  /** As `address`, with 0 for an absent tensor. */
  addressOrNull(tensor: Tensor | null): number {
    return tensor === null ? 0 : this.address(tensor);
  }

  /**
   * Address of a constant in a form of the kernel's own, made once per model and `form`. `fill` writes it at the
   * address that it is given.
   */
  packed(tensor: Tensor, form: string, byteLength: number, fill: (address: number) => void): number {
    const owner = this.parent !== null && !this.locals.has(tensor) ? this.parent : this;
    const constant = owner.constant(tensor, form, byteLength, fill);
    if (!this.used.has(constant)) {
      this.used.add(constant);
      constant.use();
      if (owner === this) this.heldBytes += byteLength;
    }
    return constant.storage.byteOffset;
  }

  private constant(tensor: Tensor, form: string, byteLength: number, fill: (address: number) => void): PackedConstant {
    const source = tensor.place;
    const key = `${form}:${source.byteOffset}:${source.byteLength}`;
    const forms = this.resident.get(source.buffer) ?? new Map<string, PackedConstant>();
    this.resident.set(source.buffer, forms);
    const known = forms.get(key);
    if (known !== undefined) return known;
    const storage = this.backend.memory.allocate(byteLength);
    try {
      fill(storage.byteOffset);
    } catch (error) {
      storage.free();
      throw error;
    }
    return new PackedConstant(storage, forms, key);
  }

  /** Memory that lives as long as the session. */
  reserve(byteLength: number): number {
    const storage = this.backend.memory.allocate(byteLength);
    this.held.push(storage);
    this.heldBytes += byteLength;
    return storage.byteOffset;
  }

  /** Scratch memory valid only while the step that asked for it runs; all steps share the largest request. */
  private workspace(bytes: number, place: WorkspaceRequest['place']): void {
    this.requests.push({ bytes, place });
  }

  seal(): void {
    if (this.parent !== null) {
      this.parent.seal();
      return;
    }
    const requests = [this, ...this.children].flatMap((session) => session.requests);
    const stride = alignUp(requests.reduce((most, request) => Math.max(most, request.bytes), 0));
    try {
      this.growWorkspace(stride);
    } finally {
      // Earlier plans are told as well, whether a larger one was to be had or not: the workspace may have moved.
      const address = this.workspaceStorage?.byteOffset ?? 0;
      for (const request of requests) request.place(address, this.workspaceStride);
    }
  }

  private growWorkspace(stride: number): void {
    if (stride <= this.workspaceStride) return;
    const { memory, threads } = this.backend;
    this.workspaceStorage?.free();
    try {
      this.workspaceStorage = memory.allocate(stride * threads);
      this.workspaceStride = stride;
    } catch (error) {
      // What was there before fits again.
      if (this.workspaceStorage !== null) this.workspaceStorage = memory.allocate(this.workspaceStride * threads);
      throw withContext('run: the workspace of the kernels', error);
    }
  }

  /**
   * A kernel step: the descriptor is written now, fields named in `workspaces` once the session is sealed.
   * `units` is the number of work units, the kernel is called with (descriptor, 0, units).
   */
  step<T extends object>(
    prim: PrimName,
    kernel: KernelName,
    layout: DescriptorLayout<T>,
    values: T,
    units: number,
    workspaces: { readonly [field: string]: number } = {},
  ): Step {
    const { threads, kernels } = this.backend;
    if (kernels[kernel] === undefined) {
      throw new ConvletError(
        'environment',
        `the module of kernels has no '${kernel}': training needs a build like convlet/kernels/simd-train.wasm`,
      );
    }
    const stride = alignUp(layout.size);
    const descriptor = this.reserve(stride * threads);
    const buffer = this.backend.memory.memory.buffer;
    const memory = { u32: new Uint32Array(buffer), f32: new Float32Array(buffer) };
    for (let t = 0; t < threads; t++) writeDescriptor(memory, descriptor + t * stride, layout, values);
    for (const [field, bytes] of Object.entries(workspaces)) {
      const at = descriptor + 4 * layout.fields.findIndex(([name]) => name === field);
      this.workspace(bytes, (address, apart) => {
        const words = new Uint32Array(this.backend.memory.memory.buffer);
        for (let t = 0; t < threads; t++) words[(at + t * stride) / 4] = address + t * apart;
      });
    }
    return new KernelStep(prim, kernel, this.backend.kernels, descriptor, stride, units);
  }

  runner(steps: readonly Step[], where: (index: number) => string): Runner {
    const program = this.backend.team?.program(steps.map((step, i) => asTeamStep(step, () => where(i)))) ?? null;
    return program ?? new Sequence(steps, where);
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.backend.memory.memory.buffer);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.backend.memory.memory.buffer, address, length);
  }

  dispose(): void {
    this.parent?.children.delete(this);
    for (const storage of this.held) storage.free();
    for (const constant of this.used) constant.release();
    this.workspaceStorage?.free();
    this.held.length = 0;
    this.heldBytes = 0;
    this.used.clear();
    this.requests = [];
    this.workspaceStorage = null;
    this.workspaceStride = 0;
  }
}

/** A step without a kernel is the leader's. */
function asTeamStep(step: Step, where: () => string): TeamStep {
  if (step instanceof KernelStep) return step;
  const alone = new Sequence([step], where);
  return { kernel: null, units: 0, descriptor: 0, descriptorStride: 0, run: () => alone.run() };
}
