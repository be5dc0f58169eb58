namespace OrleansStream.Tests;
public sealed class ScaffoldTests { [Fact] public void Runs() => Assert.Equal(1, Math.Abs(-1)); }
