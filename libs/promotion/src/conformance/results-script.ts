import { frameBegin } from './frame-lines.js';

/**
 * Waits for the `done` file, then prints every JUnit file as one frame: gzip, base64 in lines of 76 characters, and the
 * hash of the XML at the end, so that a cut log cannot pass for a whole one. POSIX shell and busybox tools only.
 */
export const printResultsScript = (directory: string, maxSeconds: number): string =>
  `cd ${directory} || exit 1
waited=0
while [ ! -f done ]; do
  if [ "$waited" -ge ${maxSeconds} ]; then echo 'FAIRWAY RESULTS timeout'; exit 1; fi
  sleep 2
  waited=$((waited + 2))
done
for file in *.xml; do
  [ -f "$file" ] || continue
  name=$(printf %s "$file" | tr -c 'A-Za-z0-9._-' '_')
  echo "${frameBegin('$name')}"
  gzip -c "$file" | base64 -w 76
  echo "-----END FAIRWAY JUNIT $name sha256=$(sha256sum < "$file" | cut -d ' ' -f 1)-----"
done
echo 'FAIRWAY RESULTS end'
`;
