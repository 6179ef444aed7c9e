import type { Storage } from '../../../memory/storage.ts';

/** A constant in the form that some kernel needs. It is kept as long as a plan uses it. */
export class PackedConstant {
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

  /** Frees the memory when the last user releases it. */
  release(): void {
    if (--this.users > 0) return;
    this.forms.delete(this.key);
    this.storage.free();
  }
}
