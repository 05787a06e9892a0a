#!/usr/bin/env node
const { main } = require('../dist/program/main.js')

void main(process.argv.slice(2))
