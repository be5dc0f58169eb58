namespace OrleansStream.Tests.Simulation;

/// <summary>How bad things are in one run, drawn from its seed: rates of faults, and until when there are any.</summary>
internal sealed class Weather
{
    private readonly Random _random;

    public Weather(Random random)
    {
        _random = random;
        var rough = random.Next(6) switch { 0 => 0, 1 or 2 => 0.3, _ => 1.0 };
        LossRate = Rate(0.06);
        RepeatRate = Rate(0.15);
        SlowRate = Rate(0.06);
        StoreFaultRate = Rate(0.15);
        SinkFaultRate = Rate(0.1);
        Accidents = rough == 0 ? 0 : random.Next(1, 12);
        AccidentRate = 1.0 / random.Next(300, 2500);
        HotAccidentRate = random.Next(2) == 0 ? 0.002 : 0.02;
        EndsAt = TimeSpan.FromMilliseconds(rough == 0 ? 0 : random.Next(300, 3000));

        double Rate(double most) => random.Next(3) == 0 ? 0 : random.NextDouble() * most * rough;
    }

    public double LossRate { get; }

    public double RepeatRate { get; }

    public double SlowRate { get; }

    public double StoreFaultRate { get; }

    public double SinkFaultRate { get; }

    /// <summary>How many kills, pauses and doublings there are at most.</summary>
    public int Accidents { get; set; }

    /// <summary>The chance of one at each step.</summary>
    public double AccidentRate { get; }

    /// <summary>The same just after something was written or committed.</summary>
    public double HotAccidentRate { get; }

    /// <summary>When the last fault may happen.</summary>
    public TimeSpan EndsAt { get; }

    public bool IsOver { get; set; }

    /// <summary>Whether something of a rate happens now.</summary>
    public bool Strikes(double rate) => !IsOver && rate > 0 && _random.NextDouble() < rate;
}
