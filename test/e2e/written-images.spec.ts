// What others make of the images that ovl writes: podman, buildah and docker load a committed image and show the tree that
// ovl unpacks from it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { ovl } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { sampleImage } from '../support/sample-image.ts'
import { treeDifferences } from '../support/tree-differences.ts'

let cwd: string
const at = (...names: readonly string[]) => path.join(cwd, ...names)

/** A committed image: layout l:2, d.tar (hello:2), and its tree in expected/rootfs. */
before(async function () {
  skipUnless(this, isRoot(), 'needs root, to compare owners')
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-written-'))
  await run('unpack', '-q', sampleImage('hello.docker.tar'), 'b')
  fs.writeFileSync(at('b/merged/etc/new'), 'new')
  fs.writeFileSync(at('b/merged/etc/holes'), 'text, then a hole')
  fs.truncateSync(at('b/merged/etc/holes'), 1_000_000)
  fs.rmSync(at('b/merged/etc/os-release'))
  fs.rmSync(at('b/merged/var'), { recursive: true })
  await run('commit', '--sparse', 'b', 'l:2')
  await run('copy', 'l:2', 'docker-archive:d.tar:hello:2')
  await run('unpack', '-q', '--flat', 'l:2', 'expected')
})

after(() => {
  if (cwd !== undefined) fs.rmSync(cwd, { recursive: true, force: true })
})

async function run(...args: readonly string[]): Promise<void> {
  const { stderr, status } = await ovl(args, { cwd })
  expect(status, stderr).to.equal(0)
}

function shell(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

/** Paths that are elsewhere, or whose content or owner differs: times and attributes are each tool's own matter. */
function seriousDifferences(directory: string): readonly string[] {
  return treeDifferences(at('expected/rootfs'), directory).filter(line => {
    const change = JSON.parse(line) as { kind: string; content?: unknown; target?: unknown }
    return change.kind !== 'changed' || change.content !== undefined || change.target !== undefined
  })
}

describe('Images that ovl writes, read by others', () => {
  it('podman loads the docker-archive and shows the same tree', function () {
    skipUnless(this, hasTool('podman'), 'no podman')
    const store = ['--root', at('podman'), '--runroot', at('podman-run'), '--storage-driver', 'vfs']
    expect(shell('podman', [...store, 'load', '-i', 'd.tar'])).to.match(/hello:2$/)
    const tree = shell('podman', [...store, 'image', 'mount', 'hello:2'])
    expect(seriousDifferences(tree)).to.deep.equal([])
    shell('podman', [...store, 'image', 'unmount', 'hello:2'])
  })

  it('buildah takes the layout as the start of a container', function () {
    skipUnless(this, hasTool('buildah'), 'no buildah')
    const store = ['--root', at('buildah'), '--runroot', at('buildah-run'), '--storage-driver', 'vfs']
    const container = shell('buildah', [...store, 'from', 'oci:l:2'])
    const tree = shell('buildah', [...store, 'mount', container])
    expect(seriousDifferences(tree)).to.deep.equal([])
    shell('buildah', [...store, 'rm', container])
  })

  it('docker loads the docker-archive, and exports the same tree', async function () {
    // The daemon of a desktop or of CI is left alone: one is started for this test.
    skipUnless(this, hasTool('dockerd') && hasTool('docker'), 'no dockerd', { optional: true })
    const daemon = startDaemon()
    try {
      const docker = (...args: readonly string[]) => shell('docker', ['-H', `unix://${at('docker.sock')}`, ...args])
      const isUp = await waitFor(() => fs.existsSync(at('docker.sock')) && responds(docker))
      skipUnless(this, isUp, 'dockerd does not start here', { optional: true })
      expect(docker('load', '-i', 'd.tar')).to.match(/Loaded image: hello:2/)
      const container = docker('create', 'hello:2')
      docker('export', '-o', at('export.tar'), container)
      fs.mkdirSync(at('exported'))
      shell('tar', ['xpf', 'export.tar', '--numeric-owner', '-C', 'exported'])
      // Docker adds mount points of its own to every container.
      const own = /^"?(?:\.dockerenv|dev|proc|sys|etc\/(?:hostname|hosts|mtab|resolv\.conf))(?:\/|$)/
      const real = seriousDifferences(at('exported')).filter(
        line => !own.test((JSON.parse(line) as { path: string }).path),
      )
      expect(real).to.deep.equal([])
    } finally {
      await stop(daemon)
    }
  })
})

function startDaemon(): ChildProcess {
  const places = ['--data-root', at('docker'), '--exec-root', at('docker-run'), '--pidfile', at('docker.pid')]
  const args = [
    ...places,
    '--iptables=false',
    '--bridge=none',
    '--storage-driver',
    'vfs',
    '-H',
    `unix://${at('docker.sock')}`,
  ]
  return spawn('dockerd', args, { cwd, stdio: 'ignore' })
}

function responds(docker: (...args: readonly string[]) => string): boolean {
  try {
    docker('version')
    return true
  } catch {
    return false // not yet
  }
}

async function waitFor(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    if (condition()) return true
    await sleep(100)
  }
  return false
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null) return
  const ended = new Promise(resolve => daemon.on('close', resolve))
  daemon.kill('SIGTERM')
  await Promise.race([ended, sleep(10_000)])
  if (daemon.exitCode === null) daemon.kill('SIGKILL')
}
