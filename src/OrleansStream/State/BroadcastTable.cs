using OrleansStream.Jobs;

namespace OrleansStream.State;

// Contract: the broadcast state of one operator in one subtask.
// - It changes only by records that go to every subtask, so at a barrier all subtasks have the same; the snapshot of the first one stands for all.
// - Every map in a snapshot is declared, in the same form. One that is declared and not in the snapshot begins empty.

/// <summary>The broadcast state of one operator in one subtask.</summary>
internal sealed class BroadcastTable
{
    /// <summary>The blob's name in a snapshot.</summary>
    private const string BlobName = "broadcast";

    private readonly string _operator;
    private readonly StateSerializers _serializers;
    private readonly IReadOnlyList<BroadcastDeclaration> _declarations;
    private readonly BroadcastMap[] _maps;
    private byte[] _written = [];

    public BroadcastTable(string operatorName, IReadOnlyList<BroadcastDeclaration> declarations, StateSerializers serializers)
    {
        _operator = operatorName;
        _serializers = serializers;
        _declarations = declarations;
        _maps = [.. declarations.Select(declaration => declaration.Open(serializers))];
    }

    /// <summary>The map of a declaration; null when the operator does not have it.</summary>
    public BroadcastMap<TMapKey, TValue>? Find<TMapKey, TValue>(BroadcastState<TMapKey, TValue> state)
        where TMapKey : notnull
    {
        for (var i = 0; i < _maps.Length; i++)
        {
            if (ReferenceEquals(_declarations[i], state)) return (BroadcastMap<TMapKey, TValue>)_maps[i];
        }

        return null;
    }

    /// <summary>All of it, for a snapshot.</summary>
    public OperatorBlob Save()
    {
        if (Array.Exists(_maps, static map => map.IsChanged)) _written = Encode();
        return new OperatorBlob(_operator, BlobName, _written);
    }

    /// <summary>Puts back what the first of the former subtasks saved.</summary>
    /// <exception cref="JobRefusedException">A saved map is no longer declared, or with other types.</exception>
    public void Restore(IReadOnlyList<RestoredBlob> restored)
    {
        foreach (var (_, blob) in restored)
        {
            if (blob.Operator != _operator || blob.Name != BlobName) continue;
            Decode(blob.Bytes);
            return;
        }
    }

    private byte[] Encode()
    {
        using var session = _serializers.OpenSession();
        using var buffer = new SegmentBuffer();
        var writer = new BlobWriter();
        writer.Write(_maps.Length);
        for (var i = 0; i < _maps.Length; i++)
        {
            buffer.Clear();
            writer.Write(_declarations[i].Name);
            writer.Write(_maps[i].Form);
            writer.Write(_maps[i].Count);
            _maps[i].Write(buffer, session);
            writer.Write(buffer.WrittenMemory);
        }

        return writer.ToArray();
    }

    private void Decode(byte[] bytes)
    {
        using var session = _serializers.OpenSession();
        var reader = new BlobReader(bytes);
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var name = reader.ReadString();
            var form = reader.ReadString();
            var count = reader.ReadInt32();
            Target(name, form).Read(reader.ReadBytes(), count, session);
        }
    }

    private BroadcastMap Target(string name, string form)
    {
        for (var i = 0; i < _maps.Length; i++)
        {
            if (_declarations[i].Name != name) continue;
            if (_maps[i].Form == form) return _maps[i];
            throw new JobRefusedException(
                $"The snapshot holds broadcast state '{name}' of operator '{_operator}' in the form '{form}', but it is now declared as '{_maps[i].Form}'. "
                + "Declare it with its former types (a renamed type keeps its former name by an [Alias]), or declare a state of another name beside it.");
        }

        throw new JobRefusedException(
            $"The snapshot holds broadcast state '{name}' of operator '{_operator}', which the job no longer declares: going on would lose it. Declare it again under its former name.");
    }
}
