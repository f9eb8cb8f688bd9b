import { level } from './level.js';

console.log('level', level);
