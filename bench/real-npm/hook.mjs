// Registers the resolver of `import` beside the one of `require`.
import { register } from 'node:module';

register('./hook-resolve.mjs', import.meta.url);
