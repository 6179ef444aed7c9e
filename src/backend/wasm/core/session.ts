import { type DescriptorLayout, fieldsOf, writeDescriptor } from '../../../abi/descriptor.ts';
import type { KernelExports, KernelName } from '../../../abi/generated/abi.ts';
import { ConvletError, withContext } from '../../../common/error.ts';
import { alignUp, type LinearMemory } from '../../../memory/linear.ts';
import type { Storage } from '../../../memory/storage.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { type PrimCall, type Runner, Sequence, type Session, type Step } from '../../backend.ts';
import type { PrimName } from '../../prims/index.ts';
import { asTeamStep, KernelStep } from './kernel-step.ts';
import { PackedConstant } from './packed-constant.ts';
import type { Team } from './team.ts';

/** The part of the backend that a session and the bindings need. */
export interface SessionBackend {
  readonly variant: 'simd' | 'relaxed';
  readonly precision: 'exact' | 'fast';
  readonly threads: number;
  readonly memory: LinearMemory;
  readonly kernels: KernelExports;
  readonly team: Team | null;
  /** The steps of a call: those of its prim's binding if that takes the call, else plain JS. */
  lower(call: PrimCall, session: WasmSession): Step[];
}

/** A request for a kernel's scratch memory, whose address is known when the session is sealed. */
interface WorkspaceRequest {
  readonly bytes: number;
  /** `address` is that of the first thread's part; the parts of the threads are `stride` bytes apart. */
  readonly place: (address: number, stride: number) => void;
}

interface Area {
  readonly address: number;
  readonly bytes: number;
}

/**
 * What prepared steps hold in linear memory. A child session (one plan of a model) keeps its own descriptors and tables,
 * and shares the packed weights and the workspace of its parent. A packed constant is freed with the last plan that uses it:
 * otherwise constants of single input shapes (position grids, folded shapes) would accumulate.
 */
export class WasmSession implements Session {
  readonly backend: SessionBackend;
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
  private zeroArea: Area = { address: 0, bytes: 0 };
  private scratchArea: Area = { address: 0, bytes: 0 };
  private readonly identities = new WeakMap<ArrayBufferLike, number>();
  private nextIdentity = 0;

  constructor(backend: SessionBackend, parent: WasmSession | null = null) {
    this.backend = backend;
    this.parent = parent;
    parent?.children.add(this);
  }

  keepLocal(tables: readonly Tensor[]): void {
    for (const table of tables) this.locals.add(table);
  }

  prepare(call: PrimCall): Step[] {
    return this.backend.lower(call, this);
  }

  /** Address of a tensor's elements; a constant on the JavaScript heap is copied into linear memory once per session. */
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
   * Address of a constant in the form that a kernel needs, made once per model and `form`. `fill` writes it at the
   * address that it gets.
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

  /** Memory that is freed with the session. */
  reserve(byteLength: number): number {
    const storage = this.backend.memory.allocate(byteLength);
    this.held.push(storage);
    this.heldBytes += byteLength;
    return storage.byteOffset;
  }

  /**
   * Memory for results that one step of a call passes to the next. Calls run one after another, so all calls of the session use the
   * same area. (A workspace, in contrast, belongs to one thread during one step.)
   */
  scratch(bytes: number): number {
    if (this.scratchArea.bytes < bytes) this.scratchArea = { address: this.reserve(bytes), bytes };
    return this.scratchArea.address;
  }

  /** Address of at least `bytes` zeros, which no step may write. */
  zeros(bytes: number): number {
    if (this.zeroArea.bytes < bytes) {
      this.zeroArea = { address: this.reserve(bytes), bytes };
      this.bytes().fill(0, this.zeroArea.address, this.zeroArea.address + bytes);
    }
    return this.zeroArea.address;
  }

  /**
   * A name of the memory of a tensor: tensors of the same memory have the same name, others never. It is part of the `form` of a
   * packed constant that is made of several tensors. The names of parent and children are the same.
   */
  identity(tensor: Tensor | null): string {
    if (tensor === null) return '-';
    if (this.parent !== null) return this.parent.identity(tensor);
    const { buffer, byteOffset } = tensor.place;
    let id = this.identities.get(buffer);
    if (id === undefined) {
      id = this.nextIdentity++;
      this.identities.set(buffer, id);
    }
    return `${id}:${byteOffset}`;
  }

  /** Requests scratch memory that is valid only while its step runs; all steps share the memory of the largest request. */
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
      // Earlier plans get the address too, even if there was no memory for a larger workspace: it may have moved.
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
      // A workspace of the old size fits again.
      if (this.workspaceStorage !== null) this.workspaceStorage = memory.allocate(this.workspaceStride * threads);
      throw withContext('run: the workspace of the kernels', error);
    }
  }

  /**
   * A kernel step: the descriptor is written now, but fields named in `workspaces` when the session is sealed.
   * `units` is the number of work units: the kernel is called with (descriptor, 0, units).
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
      const at = descriptor + 4 * fieldsOf(layout).findIndex(([name]) => name === field);
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
    this.zeroArea = { address: 0, bytes: 0 };
    this.scratchArea = { address: 0, bytes: 0 };
  }
}
