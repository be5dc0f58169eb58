// System.Threading has a Barrier of its own, which no stream job needs.
global using Barrier = OrleansStream.Exchange.Barrier;
