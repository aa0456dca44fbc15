import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PARTS = ['apps', 'libs', 'test/bench', 'test/support'];

let made: string | undefined;

/**
 * The repository as plain JavaScript in a temporary directory, in the layout of the source: processes that run from it
 * have the memory of an installation, without a compiler inside. Types are not checked. Made once per run.
 */
export function compiledTree(): string {
  if (made !== undefined) return made;
  const target = mkdtempSync(join(tmpdir(), 'fairway-bench-js-'));
  process.once('exit', () => rmSync(target, { recursive: true, force: true }));
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.base.json'), (file) =>
    readFileSync(file, 'utf8'),
  ) as {
    config: { compilerOptions: unknown };
  };
  // Every file is a module of its own kind here: transpileModule does not look at package.json.
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  for (const part of PARTS) for (const file of sources(join(ROOT, part))) place(file, target, options);
  for (const name of ['node_modules', 'migrations']) symlinkSync(join(ROOT, name), join(target, name));
  writeFileSync(join(target, 'package.json'), JSON.stringify(packageOf()));
  made = target;
  return target;
}

function sources(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(spec|d)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/\/(node_modules|results)\//.test(file));
}

function place(file: string, target: string, options: ts.CompilerOptions): void {
  const output = join(target, relative(ROOT, file)).replace(/\.ts$/, '.js');
  mkdirSync(dirname(output), { recursive: true });
  if (!file.endsWith('.ts')) return copyFileSync(file, output);
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    compilerOptions: {
      ...options,
      module: ts.ModuleKind.ESNext,
      sourceMap: false,
      inlineSourceMap: false,
      declaration: false,
      composite: false,
    },
  });
  writeFileSync(output, outputText);
}

/** The same subpath imports, each at its source's place. */
function packageOf(): unknown {
  const { type, imports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    type: string;
    imports: Readonly<Record<string, { readonly source: string }>>;
  };
  const places = Object.entries(imports).map(([name, { source }]) => [name, source.replace(/\.ts$/, '.js')]);
  return { name: 'fairway-bench', private: true, type, imports: Object.fromEntries(places) };
}
