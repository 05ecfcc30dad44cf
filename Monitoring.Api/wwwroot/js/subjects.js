// The subjects of the page, one line each: a module that brings its cards and fills them. The shell knows nothing else of them.

import { venues } from './venues/venues.js';

export const subjects = [venues];
