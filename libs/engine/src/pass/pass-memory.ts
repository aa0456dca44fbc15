/**
 * Small JSON values that steps keep between passes, stored with the pass. Keys are `<step>/<what>`; readers check the
 * shape they get, because an older version of Fairway may have written it.
 */
export class PassMemory {
  private readonly values: Map<string, unknown>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = new Map(Object.entries(values));
  }

  get(key: string): unknown {
    return this.values.get(key);
  }

  text(key: string): string | undefined {
    const value = this.values.get(key);
    return typeof value === 'string' ? value : undefined;
  }

  number(key: string): number | undefined {
    const value = this.values.get(key);
    return typeof value === 'number' ? value : undefined;
  }

  set(key: string, value: unknown): void {
    this.values.set(key, value);
  }

  delete(key: string): void {
    this.values.delete(key);
  }

  toJson(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.values);
  }
}
