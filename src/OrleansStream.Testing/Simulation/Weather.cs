namespace OrleansStream.Testing.Simulation;

/// <summary>How bad things are in one run, drawn from its seed: rates of faults, and until when there are any.</summary>
internal sealed class Weather
{
    private const int MostCalmMoves = 4;

    private readonly Random _random;

    public Weather(Random random, Accidents most)
    {
        _random = random;
        var rough = random.Next(6) switch { 0 => 0, 1 or 2 => 0.3, _ => 1.0 };
        LossRate = Rate(most.Loss);
        RepeatRate = Rate(most.Repeats);
        SlowRate = Rate(most.Slowness);
        StoreFaultRate = Rate(most.StoreFaults);
        SinkFaultRate = Rate(most.SinkFaults);
        IsCalm = rough == 0;
        StrikesLeft = most.Strikes == 0 ? 0 : IsCalm ? random.Next(Math.Min(most.Strikes, MostCalmMoves) + 1) : random.Next(1, most.Strikes + 1);
        StrikeRate = 1.0 / random.Next(300, 2500);
        HotStrikeRate = random.Next(2) == 0 ? 0.002 : 0.02;
        var until = (int)most.Until.TotalMilliseconds;
        EndsAt = TimeSpan.FromMilliseconds(StrikesLeft == 0 && IsCalm ? 0 : random.Next(until / 10, until));

        double Rate(double most) => random.Next(3) == 0 ? 0 : random.NextDouble() * most * rough;
    }

    /// <summary>Whether nothing goes wrong: jobs are only moved.</summary>
    public bool IsCalm { get; }

    public double LossRate { get; }

    public double RepeatRate { get; }

    public double SlowRate { get; }

    public double StoreFaultRate { get; }

    public double SinkFaultRate { get; }

    /// <summary>How many kills, pauses, doublings and moves there may still be.</summary>
    public int StrikesLeft { get; set; }

    /// <summary>The chance of one at each step.</summary>
    public double StrikeRate { get; }

    /// <summary>The same just after something was written or committed.</summary>
    public double HotStrikeRate { get; }

    /// <summary>When the last fault may happen.</summary>
    public TimeSpan EndsAt { get; }

    public bool IsOver { get; set; }

    /// <summary>How many messages and calls were lost, repeated, slowed down or made to fail.</summary>
    public int Faults { get; private set; }

    /// <summary>Whether a fault of a rate happens now.</summary>
    public bool Strikes(double rate)
    {
        if (!Chance(rate)) return false;
        Faults++;
        return true;
    }

    /// <summary>Whether something of a rate happens now.</summary>
    public bool Chance(double rate) => !IsOver && rate > 0 && _random.NextDouble() < rate;
}
