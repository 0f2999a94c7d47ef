#!/usr/bin/env node
/** The banner as a program of its own, for every login: it loads a tenth of the command line, and is there in half a second. The same as `relay setup banner`. */
import { appliancePlaces } from '../host/places.ts';
import { machineFiles } from '../setup/machine-files.ts';
import { createOutput } from './output.ts';
import { runBanner } from './setup-banner.ts';

await runBanner({ places: appliancePlaces(), files: machineFiles(), output: createOutput(false) });
