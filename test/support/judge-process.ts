/** Carries a trial out in a process of its own. Arguments: the appliance's root, and at which step it is to be killed. */
import { judgeAt } from './judging.ts';

const [root = '', killAt] = process.argv.slice(2);
await judgeAt(root, (step) => {
  if (String(step) === killAt) process.kill(process.pid, 'SIGKILL');
});
