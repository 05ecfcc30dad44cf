namespace Monitoring.Simulator.Model;

/// <summary>How bad an event is, in rising order.</summary>
internal enum Severity { Info, Low, Medium, High, Critical }
