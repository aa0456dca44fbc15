export interface Cruised {
  readonly seen: readonly string[];
  readonly violations: readonly string[];
}
export function listedModules(folders: readonly string[]): string[];
export function cruiseFolders(folders: readonly string[], baseDir?: string): Promise<Cruised>;
export function checkLayers(options?: {
  readonly listed?: readonly string[];
}): Promise<{ ok: boolean; output: string }>;
