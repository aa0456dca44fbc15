/** What helps where nothing more is known than the kind of problem. What is said at the place itself goes before it. */
export const REMEDIES = {
  'cluster-file':
    'The file holds `config_items` (a map of texts) and `node_pools` (a list of pools as in the registry), both optional.',
  'component-settings':
    'Fields: dependsOn, ignore (lists of texts), wave (a number), timeout (10m), health (wait or ignore), prune, removed (true or false).',
  'config-item-type':
    'Give it a value as cluster/config.schema.json describes it, or change the description there.',
  'defaults-not-flat': 'Write one `key: value` per line; several values of a key go into one text.',
  'duplicate-stack': 'Give one of the two another Metadata.StackName.',
  'invalid-deletion':
    'Write a list under pre_apply or post_apply, each entry with a kind and exactly one of name, selector, labels.',
  'invalid-object': 'Write apiVersion, kind and metadata.name, each as text; one object a document.',
  'invalid-schema': 'Describe each config item with type, description, default, sensitive or since.',
  'invalid-stack':
    'Write it as a CloudFormation template; `aws cloudformation validate-template` checks it too.',
  'invalid-yaml': 'Mend the YAML at this place; values with `: `, `#` or braces belong in quotes.',
  'missing-file': 'Add the file to the profile, or give the pool another profile.',
  'template-error':
    'Look at what the action gets here: its types, and whether the values are there for this cluster.',
  'template-limit':
    'The template does more than one render may do: look for a loop or a template that invokes itself.',
  'template-syntax': 'Mend the action at this place; the language is Go’s text/template.',
  'unknown-config-item': 'Correct the name, or describe the item in cluster/config.schema.json.',
  'unknown-dependency':
    'Components are the directories below cluster/manifests; correct the name or take it out.',
  'unknown-instance-type':
    'Correct the name, or refresh the inputs (`fairway inputs refresh CLUSTER`) where AWS offers the type in this region.',
} as const;
