/** Rows by the value of `key`, in the order of first appearance. */
export function groupRows<R, Key>(rows: readonly R[], key: (row: R) => Key): Map<Key, R[]> {
  const groups = new Map<Key, R[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}
