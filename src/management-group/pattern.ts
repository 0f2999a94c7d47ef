/** Whether a host name fits a pattern in which `*` stands for any characters and `?` for one; case does not matter. Takes time linear in both for each `*`. */
export function matchesPattern(hostName: string, pattern: string): boolean {
  const name = hostName.toLowerCase();
  const wanted = pattern.toLowerCase();
  let at = 0;
  let wantedAt = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    if (wanted[wantedAt] === '*') {
      star = wantedAt++;
      starAt = at;
    } else if (wanted[wantedAt] === '?' || wanted[wantedAt] === name[at]) {
      at += 1;
      wantedAt += 1;
    } else if (star >= 0) {
      wantedAt = star + 1;
      at = ++starAt;
    } else return false;
  }
  return [...wanted.slice(wantedAt)].every((character) => character === '*');
}
