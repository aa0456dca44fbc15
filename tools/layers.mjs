// The boundary guard: the rules of .dependency-cruiser.cjs over every module that Git lists. A guard that silently looked
// at fewer modules would be green for nothing, so their number is part of the verdict.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { cruise } from 'dependency-cruiser';

const require = createRequire(import.meta.url);

/** TypeScript modules below these folders that Git knows or would know. */
export function listedModules(folders) {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...folders],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  );
  return listed.split('\n').filter((path) => /\.ts$/.test(path) && !path.endsWith('.d.ts'));
}

/** Violations and how many modules were seen below the folders. */
export async function cruiseFolders(folders, baseDir = process.cwd()) {
  const { forbidden, options } = require(`${process.cwd()}/.dependency-cruiser.cjs`);
  const { enhancedResolveOptions, ...cruiseOptions } = options;
  const { output } = await cruise(
    folders,
    { ...cruiseOptions, baseDir, validate: true, ruleSet: { forbidden } },
    enhancedResolveOptions,
  );
  const seen = output.modules.filter(({ source }) =>
    folders.some((folder) => source.startsWith(`${folder}/`)),
  );
  return {
    seen: seen.map(({ source }) => source),
    violations: output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
  };
}

const FOLDERS = ['libs', 'apps'];

export async function checkLayers({ listed = listedModules(FOLDERS) } = {}) {
  const { seen, violations } = await cruiseFolders(FOLDERS);
  const missed = listed.filter((path) => !seen.includes(path));
  const problems = [...violations, ...missed.map((path) => `not seen by the guard: ${path}`)];
  return { ok: problems.length === 0, output: problems.join('\n') };
}
