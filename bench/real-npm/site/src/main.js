import { level } from './level.js';
import './main.css';

let unused = 1;
document.querySelector('#level').textContent = level == 3 ? 'high' : `${level}`;
