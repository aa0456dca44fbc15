import type { PlannedObject } from '#fleet';
import { refKey, refOf } from '#fleet';
import { planStages } from '#manifests';
import { askPrune } from '../manifests/ask-prune.js';
import { foreseenRefusal } from '../manifests/apply-object.js';
import { compareObjects, type Compared } from '../manifests/compare-objects.js';
import { leftAlone } from '../manifests/drift-scan.js';
import { surveyObjects, type Survey } from '../manifests/survey.js';
import type { Pass } from '../pass/pass.js';

export interface ObjectsPlan {
  readonly objects: readonly PlannedObject[];
  /** What the API server would refuse, with the cure. */
  readonly blockers: readonly { readonly what: string; readonly remedy: string }[];
}

/** Places shown of one object. */
const SHOWN = 40;

/** Dry-runs every object; the apply that follows uses these very results. */
export async function planObjects(pass: Pass): Promise<ObjectsPlan> {
  const stages = planStages(pass.desired.components, pass.cluster.id);
  if (!stages.ok) return newObjects(pass);
  const objects = stages.value.flatMap((stage) => stage.batches.flat());
  const survey = await surveyObjects(pass, objects);
  const findings = await pass.ports.updates.driftFindings(pass.cluster.id);
  const compared = await compareObjects(pass, objects, survey, leftAlone(findings, objects));
  const results = [...compared.values()];
  return {
    objects: [...results.map(planned), ...(await deletions(pass, survey, compared))],
    blockers: results.flatMap((each) => (each.refused ? [foreseenRefusal(each, each.refused)] : [])),
  };
}

/** Before the control plane exists everything is new. */
export const newObjects = (pass: Pass): ObjectsPlan => ({
  objects: pass.desired.components.flatMap((component) =>
    component.objects.map(({ object }) => ({
      ref: refOf(object),
      component: component.name,
      action: 'create' as const,
      fields: [],
    })),
  ),
  blockers: [],
});

function planned({ staged, action, lines }: Compared): PlannedObject {
  const diff = lines.slice(0, SHOWN).map(({ path, change, before, after }) => ({
    path,
    change,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  }));
  return {
    ref: refOf(staged.object),
    component: staged.component,
    action: action === 'wait' ? 'create' : action,
    fields: action === 'create' ? [] : lines.map(({ path }) => path),
    ...(action === 'change' && { diff }),
  };
}

/** What left Git: deleted, or kept and why, by the rules of the prune as things are now. */
async function deletions(
  pass: Pass,
  survey: Survey,
  compared: ReadonlyMap<string, Compared>,
): Promise<readonly PlannedObject[]> {
  const left = [...survey.inventory.values()].filter(({ ref }) => !compared.has(refKey(ref)));
  if (left.length === 0) return [];
  const { decision } = await askPrune(pass);
  const goes = new Set(decision.prune.map(({ item }) => refKey(item.ref)));
  const kept = new Map(decision.blocked.map(({ item, reason }) => [refKey(item.ref), reason]));
  return left.flatMap(({ ref, component }): readonly PlannedObject[] => {
    const reason = kept.get(refKey(ref));
    if (goes.has(refKey(ref))) return [{ ref, component, action: 'delete', fields: [] }];
    return reason === undefined ? [] : [{ ref, component, action: 'none', fields: [], kept: reason }];
  });
}
