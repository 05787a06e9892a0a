import type { Json } from '../../errors/index.ts'
import type { HistoryEntry, ImageConfig, Platform } from '../../oci/index.ts'

/** A platform as the image specification spells it; parts that are not given are left out. */
export function platformToJson(platform: Platform): Json {
  const { os, architecture, variant, osVersion, osFeatures } = platform
  return {
    os,
    architecture,
    ...(variant === '' ? {} : { variant }),
    ...(osVersion === '' ? {} : { 'os.version': osVersion }),
    ...(osFeatures.length === 0 ? {} : { 'os.features': [...osFeatures] }),
  }
}

/** What an image config says, lists and labels always there. */
export function configToJson(config: ImageConfig): { readonly [key: string]: Json } {
  const { process } = config
  return {
    created: config.created,
    author: config.author,
    user: process.user,
    entrypoint: [...process.entrypoint],
    cmd: [...process.cmd],
    env: [...process.env],
    workingDir: process.workingDir,
    exposedPorts: [...process.exposedPorts],
    volumes: [...process.volumes],
    labels: Object.fromEntries(process.labels),
    stopSignal: process.stopSignal,
    diffIDs: [...config.diffIDs],
    history: config.history.map(historyToJson),
  }
}

/** One entry of the history. */
export function historyToJson(entry: HistoryEntry): Json {
  return { ...entry }
}
