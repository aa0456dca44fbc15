export { parseTemplate } from './template/parse.js';
export type { ParseOptions } from './template/parse.js';
export { executeTemplate } from './template/execute.js';
export type { ExecuteOptions } from './template/execute.js';
export type { Template } from './template/scope.js';
export { TemplateError, LimitError } from './template/errors.js';
export type { TemplateErrorKind, TemplateErrorPlace } from './template/errors.js';
export type { TemplateLimits } from './template/budget.js';
export { renderCluster, renderDigest, renderFiles } from './render/render-cluster.js';
export type { RenderedText } from './render/render-cluster.js';
export { lookupsOf } from './render/lookups.js';
export type { WantedInputs } from './render/lookups.js';
export { createRenderCache, RENDERER_VERSION } from './render/render-input.js';
export type { RenderInput, RenderOptions } from './render/render-input.js';
export type { RenderCache } from './render/file-renderer.js';
export { API_REMOVALS, type ApiRemoval } from './validation/removed-apis.table.js';
export { validateRevision } from './validation/validate-revision.js';
export type { RevisionProblem, ValidatedCluster } from './validation/validate-revision.js';
export { explain } from './explain/explain.js';
export { nearest } from './validation/nearest.js';
export type { ExplainedItem } from './explain/explain.js';
export { diffDesired, groupDiffs } from './explain/diff-desired.js';
export type { ChangeGroup, ChangeKind, DesiredChange } from './explain/diff-desired.js';
export type {
  ConfigOverride,
  EffectiveItem,
  EffectiveItems,
  LayerName,
  LayerValue,
} from './layers/config-layers.js';
export { clusterFileText } from './write-back/cluster-file-text.js';
export type { ClusterFileResult, ClusterFileWish, Written } from './write-back/cluster-file-text.js';
