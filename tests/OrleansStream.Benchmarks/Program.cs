using OrleansStream.Benchmarks;

return await BenchmarkCommand.Build(args).Parse(args).InvokeAsync();
