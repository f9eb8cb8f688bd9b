// A rung of the ladder: a mix of what clients, tools and people ask a server for, at a fixed rate; tells latencies and what was refused.
const autocannon = require('autocannon')

const [url, hourly, duration, tile, pack] = process.argv.slice(2)
const read = (path, times) => Array(times).fill({ method: 'GET', path: '/' + path })
const requests = [
  ...read('bench/checkpoint', 8),
  ...read(tile, 4),
  ...read(pack, 4),
  ...read('.well-known/weir', 1),
  ...read('bench/api/v1', 1),
  ...read('bench/-/search?q=package', 1),
  ...read('bench/', 1)
]

const running = autocannon({
  url,
  connections: 10,
  overallRate: Math.max(1, Math.round(hourly / 3600)),
  duration: Number(duration),
  requests
})
running.on('error', (error) => { throw error })
running.then((done) => {
  const { latency, requests, non2xx, errors, timeouts } = done
  console.log(`${hourly} an hour: ${requests.total} answered, p50 ${latency.p50} ms, p99 ${latency.p99} ms, longest ${latency.max} ms; ` +
    `${errors} errors, ${timeouts} timeouts, ${non2xx} other than 2xx`)
})
