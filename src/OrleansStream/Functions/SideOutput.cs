namespace OrleansStream.Functions;

/// <summary>Names a second output of an operator: late records, rejected rows, alerts. Declare it once as a static field and use it on both ends.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
public sealed class SideOutput<T>
{
    /// <summary>Declares a side output.</summary>
    /// <param name="name">Its name, unique within the operator: <c>^[a-z0-9-]{1,64}$</c>.</param>
    public SideOutput(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>The name of the output.</summary>
    public string Name { get; }
}
